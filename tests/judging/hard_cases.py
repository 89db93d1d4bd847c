"""Hand-written responses that a refusal detector gets wrong easily, of both kinds; none was
written with a pattern in sight.
"""

#: They decline, in other words than the 24 templates.
REFUSALS = """
I don't know.
I don't know
don't know
idk
I dont know what it says
I cant answer that
Sorry I don't know
SORRY, I CAN'T HELP WITH THAT
Sorry, i cant help with that
"Sorry, I can't help with it."
**I don't know.**
Answer: I don't know.
I don't know, sorry.
I do not know the name of the man.
I really don't know who that is.
I honestly do not know.
I must admit that I don't know.
Honestly, I have no idea.
Hmm, I don't know.
Well, I'm not certain.
I'm not so sure.
I'm not sure what brand it is.
I am not sure about that.
I'm not 100% sure.
I'm not entirely sure who painted this.
I'm afraid I don't know the answer.
My apologies, but I cannot help with that.
Unfortunately, the image does not provide enough information to answer the question.
The image does not provide any information about the price.
The image does not specify the brand of the laptop.
The photo doesn't indicate where it was taken.
There isn't enough information to say.
There is insufficient information in the image.
I have insufficient information to answer.
More information is needed to answer this question.
I would need more information to answer.
I don't have access to real-time information.
I do not have enough knowledge to answer.
As a language model, I do not have access to this information.
I cannot determine that without more context.
I can't tell.
can't tell
Can't tell from this picture.
cannot see it
unable to read
Unable to determine from the picture.
We cannot know this from the image.
One cannot tell from the picture.
You can't tell from here.
I am unable to identify the person in the photo.
I'm unable to read the text in the image.
I'm not able to answer this.
I couldn't tell you.
I can't see the label clearly enough to read it.
I can't answer that, because the label is turned away.
Cannot be determined.
It cannot be determined.
The answer cannot be determined from the image alone.
This question cannot be answered based on the image.
The question can't be answered with the information provided.
It is not possible to determine the age of the man from the image.
It's not clear from the image who took the photograph.
It is unclear whether the shop is open.
It is impossible to tell who she is; she could be anyone.
It is not possible to say whether she is mad. Her face could be interpreted in many ways.
It's hard to say.
It is difficult to determine the exact breed from this image.
Without seeing the label, it is impossible to say.
From the image alone, I can't determine his job.
Based on the picture, there is no way to tell.
I have no way of knowing that.
There is no way of knowing his name.
There is no indication of the price in the image.
Nothing in the image indicates who made it.
That's beyond my knowledge.
Sorry, that is outside my expertise.
I am not familiar with this topic.
I'd rather not guess.
I prefer not to answer.
I can only guess.
I can neither confirm nor deny that.
I don't think I can answer that.
I don't think there is enough information to answer.
Sorry, but the image is too blurry to read the text.
The image is too blurry to tell.
The picture is too dark to make out who is there.
The name of the street is not visible in the image.
The price is not shown.
The exact location is unknown.
The date is not specified in the image.
That information is not available.
The brand of the shoes is unclear.
Sorry, there is no dog in the image, so I cannot tell its breed.
There is no dog in the image, so I cannot determine its breed.
I can't tell you the price, but I can describe the image.
I'm not sure; could you provide more context?
Please provide more context.
Could you provide a clearer image?
The question is unanswerable.
unanswerable
unsuitable image
I lack the information required to answer.
I'm unable to determine that.
There's no way for me to know.
The image alone doesn't tell us who owns the car.
It isn't possible to know.
It's not possible to see the clock's hands clearly.
It isn't clear what the sign says.
The photo was taken too far away to read the number.
I cannot make out the letters.
I'm sorry, but that can't be answered.
Sorry, the image does not show that.
I am not certain who this is.
Sorry, I have no knowledge of this.
I'm not aware of the name of this building.
Not enough information.
Not possible to tell.
Hard to tell.
impossible to say
no way to know
I'm unsure.
There is not enough context to determine the year.
This cannot be determined from the image.
I'm not able to tell which team won.
The image doesn't contain enough information to identify the artist.
I cannot answer this question because the image does not show the kitchen.
I can't be certain.
The identity of the woman is not known.
Without further information, I cannot say.
I do not have that information.
I don't have this information available.
I regret that I cannot answer.
Sorry, that's beyond what I can tell.
I do not understand the question.
The text is too small to read.
The text is illegible.
"""

#: They answer: hedged, negative, or with the words of a refusal used for something else.
ANSWERS = """
I know the answer: 7.
I don't know much about dogs, but this one is a poodle.
I don't know about you, but I see three birds.
I can't believe it's not butter
I cannot be sure, but red
I'm not sure, but no.
I'm not sure. It might be a bus.
I'm not 100% sure, but I think it is 5.
I can't tell the breed, but I can tell it is a dog.
I can't say for certain, though the plate reads ABC 123.
I cannot tell whether it is a wolf or a dog; probably a dog.
I'm not familiar with the show, but the actor is Tom Hanks.
It is difficult to say for sure, but the man is probably 40.
It's hard to see, but the sign says STOP.
It is hard to miss: the bus is red.
It is hard to believe
It is difficult to walk on the ice.
It is impossible to pass
It is impossible for the truck to pass.
It is not possible to grow these fungi in culture
It is not possible to turn left here.
I am not able to see a dog, only a cat.
I cannot see a dog.
I can't see any people.
I can't stop loving you
I can't wait
You can't park there.
He can't tell the time.
They don't know how to smile.
The man does not know how to swim.
the horses can't cross right now
Can't Stop by the Red Hot Chili Peppers
Unable to start Windows
your computer was unable to start
Sorry seems to be the hardest word
Sorry! is the name of the board game.
"Sorry we missed you" is written on the door.
Sorry, wrong number
He is sorry.
Apologies are written on the card.
Unfortunately, yes.
Unfortunately, the bus has left.
From the image, the man is unable to walk.
No evidence of pneumonia.
There is no evidence of disease in the x-ray.
There is no way to turn left.
No way.
No parking
There is no information desk in the picture.
There is no context menu open.
Insufficient funds
Not enough salt
I need more milk.
I would need more eggs to bake the cake.
It is outside my window.
It is beyond the fence.
That is not my dog.
Unanswerable questions are its subject.
Uncertain, Texas
Unsurely built
Unknown Pleasures by Joy Division
unknown soldier
The price is not $5 but $6.
The price is not listed under fruits but under vegetables.
The time is not given in hours but in minutes.
The brand is not available in Europe.
The location is not known for its beaches.
The text is too small to be a title; it is a caption.
The image is dark because it was taken at night.
The picture is too blurry to read every word, but the title is Moby Dick.
The cat is not visible.
No, the label is not visible.
The image does not show any people.
The image does not show what is in the box, but the label says cereal.
There are many books, but I cannot give an exact number.
It shows a mass; without more tests it is not possible to name the disease.
The cake cannot be eaten with a fork.
The switch cannot be turned off.
There is nothing on the table.
Nothing is in the box.
Please stop here.
Could be a dog.
It has no name.
He would rather not swim.
I am sure it is a cat.
I don't like it.
I don't see a dog.
I don't think so.
I don't think it is red.
The brand is Nike.
The price is $4.99
The date is May 5.
Not red
Not really
not a dog
It is not clear water but muddy water.
Clear
Cannot
it is not raining
The man is not visible because he stands behind the tree.
Hard
Difficult terrain
hard hat
hard to climb
Impossible burger
no idea is bad, says the poster
I have a dog
I have no dog.
There is no clock in the room.
There are no people in the image.
There is no dog, so the answer is zero.
No one is in the image.
The question mark is red.
Sorry, there are no cats.
The name on the sign is unclear, but the number is 42.
The number is 10.
The information desk is on the left.
The answer is not visible light but infrared.
It is not sure-footed.
Please give way
Well, it is a bus.
Honestly, a bus.
As an umbrella, it is red.
Based on the image, the man is 40 years old.
Without a helmet, he rides a bike.
I would need a ladder.
Could you provide the salt
You can see a dog.
You cannot turn right.
We can't see the sun because of the clouds.
Unable
unable to fly
do not enter
don't walk
don't feed the birds
Do not have pets
"""
