"""Responses that answer though they sound like declining, written before the grammar.

One response a line; a backslash continues the line and the sign \u23ce stands for a line break.
"""

ANSWERING = """
There is no dog in the image.
There are no people visible in the picture.
No, there is no information board next to the path.
The man can not reach the shelf because he is too short.
The child is unable to open the jar.
The woman can't find her keys, so she looks upset.
It is not possible to turn left here, according to the sign.
It is impossible for the car to pass, since the road is blocked.
No, it is not clear weather; it is raining.
The sign says "No information available".
The screen reads "Unable to connect to the server".
The error message says 'Cannot read property of undefined'.
"Access denied: you do not have permission" is shown on the monitor.
The T-shirt says "I don't know, I just work here".
The man in the cartoon says that he does not know the answer.
The poster asks, "Don't know what to do?"
The caption reads: I can't answer that.
The text on the sign is "Not sure? Ask us!".
The note on the door says sorry, we can't help you today.
I'm sorry to hear that. The plant looks overwatered.
I'm sorry for the confusion; the correct answer is 12.
I apologize for my earlier mistake. The bus is blue.
Sorry about that, it is a golden retriever.
Apologies for the delay! The clock shows 3:15.
Sorry for the misunderstanding. There are four chairs.
I can't be 100% certain, but this looks like the Eiffel Tower.
I can't identify the person, but they are wearing a red hat and holding a sign.
I cannot say for sure; however, it appears to be a sparrow.
It is hard to tell from the picture, but I would guess that there are around 20 people.
It's difficult to determine the exact number, but there are at least ten birds.
While it is not possible to know for certain, the man is most likely a chef.
Although the image is blurry, the text reads "EXIT".
Though I can't see his face, he is wearing a green jacket.
Even though the label is partly covered, it says Heinz.
While the image does not explicitly state the location, the architecture suggests that it is Paris.
The image does not specify the season, but the bare trees suggest winter.
Without more context it is hard to be sure, but the uniform suggests that he is a pilot.
It is not entirely clear, but the animal on the left seems to be a goat.
The exact age is unknown, but he looks about 30 years old.
The brand is not fully visible; however, the swoosh indicates Nike.
The number is partly hidden, but it is probably 23.
I'm not an expert, but this is a monarch butterfly.
I'm no doctor, but it looks like a sprained ankle.
I don't have the exact figure, but the bar is close to 40 %.
I don't know much about cars, but it's a Volkswagen Beetle.
I'm unable to zoom in, but the plate appears to be ABC-123.
As an AI I don't have feelings, but the painting shows a sad woman.
As an AI, I can tell you that the picture shows a zebra.
If the image is blurry, it may be helpful to use a tripod. The lens is a 50 mm.
If you can't see the sign, it says STOP.
Unclear skies: it is overcast.
The water is unclear and brown.
The view is not clear because of the fog.
The road ahead is not visible because of heavy fog.
The person's face is not visible because she is turned away from the camera.
No, the number plate is not visible.
No. The cat can't be seen from behind the sofa.
No, I can't see any bicycles.
I do not see any traffic lights in this image.
I can't see a cat; I see two dogs.
I see no evidence of fire.
There isn't any clock on the wall.
None of the people are wearing hats.
Nobody is sitting on the bench.
Nothing is on the plate.
There is nothing in the image that indicates danger, so the answer is no.
The image does not contain any animals.
The image does not show a beach; it shows a desert.
The picture doesn't include a car.
The chart does not show an increase; sales fell by 10 %.
The two shapes are not the same.
The statement can not be true, because the bar for 2010 is higher.
It can't be a lion, as it has stripes; it is a tiger.
It cannot be a winter picture, for the trees are green.
The equation has no real solution.
The limit does not exist.
The function is not defined at x = 0.
The system has insufficient memory.
The battery is insufficient to start the engine.
The patient has not enough oxygen.
The player is not able to catch the ball.
They can't cross because the light is red.
He doesn't have enough money to pay the bill.
She is unsure which dress to buy.
The boy seems unsure of himself.
The people look uncertain.
The dog does not know what to do with the ball.
One can not park here between 8 and 10.
You cannot enter without a ticket.
You can't see it in the dark, so reflectors are required.
We can't smoke in here, as the sign shows.
It is used to tell the time when the sun can't be seen.
It is unknown to most people, but it is a quince.
An unknown soldier
unknown
Unknown artist, 15th century
The artist is anonymous.
Information
information desk
Lost and found, information
The blurry object is a frisbee.
The image is blurry because the camera moved.
The picture is too dark because no flash was used.
The text is too small; it should be enlarged.
The answer is not A but B.
The answer is B, because A cannot be determined by sight.
The correct answer is (D) cannot be determined, no: it is (B) 12 cm.
Option C is unclear, option D is wrong, so the answer is A.
A cannot be right. B cannot be right. Therefore the answer is C.
I can rule out A and B. I'm not sure about C, but D fits. Answer: D
It is difficult to determine the exact style. Both pictures use bright colours. Therefore, the \
answer is (B).
Based on the information provided, it is hard to be certain. The second image has the same \
brushwork as the first. Therefore, the second image shares the style.
At first glance it is not possible to determine the pattern. Looking closer, each row adds one \
dot, so the next figure has five dots.
I cannot see the images, but based on the description the laptop is on the left. So the answer \
is (A) yes.
Let's look at each option.⏎⏎A: the image does not provide information about it.⏎B: this fits what \
is shown.⏎⏎Answer: B
<think>I can't tell what this is. Wait, it has wings and a beak.</think>It is a bird.
<think>I don't know. Not enough information? Let me count: one, two, three.</think>⏎⏎3
<answer>No</answer>
**Answer:** No, there is not enough room for a second car.
The label says "no added sugar".
There is no sign that tells drivers to stop.
There's no indication of rain, so the ground is dry.
There is no way out of the maze.
It is hard to walk on ice.
It is hard to find parking in this city.
It is difficult for the elephant to climb.
That is not possible.
That's impossible.
Not possible
Not likely.
Not yet.
Not at the moment.
Not a chance.
I'd say no.
I don't think so; the sky is grey.
I don't believe it is raining.
I doubt it.
I am certain that it is a spoon.
I have to say it is a lovely cake.
I must say the dog looks happy.
I must admit that it is a good likeness of Lincoln.
I can help you with that! It is a dahlia.
I'd be happy to help. The bird is a robin.
Please note that the sign is in French; it means "slow".
Please let me know if you need anything else. The cup is white.
It says "please provide more details" at the bottom of the form.
The form requires more information from the applicant.
The instructions provide information about the dosage.
The document does not allow changes.
The person declines the offer.
The sales decline after 2008.
Values decline from left to right.
The sign forbids access to the beach.
The shop can't be open, since the blinds are down, so no.
The meeting was declined by John.
He would rather not answer the phone.
The image is of an assistant who can't view her screen.
The blanket is not visible in the left image, which shows that it was taken earlier.
The third picture is not clear enough to be a photograph; it is a painting.
The image shows a man playing tennis. He holds a racket in his right hand and is about to hit \
the ball. The crowd in the background is out of focus, and it is unclear how many people there are.
The sign tells visitors that the museum is closed. It does not say when it will open again.
There are three zebras. I can't tell whether the third one is a foal.
This is a Boeing 747. The airline is not visible.
A man is cooking. The kitchen is small, and there is not enough space for two people.
The woman is smiling, which suggests that she is happy. It is not clear why she is happy.
"""
