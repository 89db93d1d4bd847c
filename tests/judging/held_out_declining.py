"""Responses that decline, in the manner of many vision-language models, written before the grammar.

One response a line; a backslash continues the line and the sign \u23ce stands for a line break.
"""

DECLINING = """
Based on the image provided, it is not possible to determine the exact price of the handbag.
The image does not provide enough information to determine the year in which it was taken.
It is not possible to determine the name of the restaurant from the image alone.
The image does not provide any specific information about the man's occupation. He could be a \
teacher, a clerk or a student.
There is no information in the image about who owns the boat.
Based on the visual content alone, one cannot ascertain what the woman is thinking.
The age of the child cannot be accurately determined from this picture.
Without more context, it is difficult to say what the people are waiting for.
The picture does not offer any clue as to which country this is.
I'm sorry, but I can't identify the person in this image.
I'm sorry, I can't assist with that request.
I'm not able to help with identifying people in photographs.
I can't provide information about the identity of individuals in images.
Sorry, I can't determine who this is based on their appearance.
I'm unable to view images directly. If you describe the picture, I can try to help.
It looks like there is no image attached to your message. Could you upload it?
I don't see an image in our conversation. Please share it and I will take a look.
It seems the image did not come through. Please try uploading it again.
No picture has been supplied, so there is nothing for me to look at.
I cannot see the picture you are referring to.
As a text-based assistant, I can't view photos.
I'm just a language model, so I can't help you with that.
I'm a text-based AI, and that's outside of my capabilities.
I do not have the ability to process images.
I won't speculate about the personal lives of the people in this photo.
I don't feel comfortable guessing someone's ethnicity from a photo.
I'm not comfortable making assumptions about a person's religion.
I must respectfully decline to make that judgment.
I'd prefer not to make a guess about her weight.
I will have to pass on this one; the photo simply does not show it.
I apologize, but I don't feel I can answer that responsibly from a photograph.
I aim to be careful here: I don't identify real people based on their facial features.
While I can see a man in a grey suit standing at a lectern, I'm not able to identify who he is.
Although the sign is partly visible, the lettering is too small for me to read.
Because the photograph is cropped at the wrist, I can't tell whether she wears a ring.
Since the back of the truck is hidden, its licence plate can't be read.
As the clock face is turned away from the camera, it is impossible to know what time it shows.
The bottle's label faces the wall, so its brand cannot be identified.
The writing on the whiteboard is too faint to make out.
The resolution of the image is too low to read the number on the jersey.
The image is quite blurry, which makes it impossible to recognise the logo.
Unfortunately the text on the receipt isn't legible.
The license plate number is not readable in this image.
The title of the book isn't visible from this angle.
The destination of the bus is not shown in the picture.
The serial number is obscured by the person's thumb.
The name tag is blocked by her hair, so I can't read her name.
The name of the player is not discernible.
The speaker's nationality is not something that can be inferred from this image.
His profession is not apparent from the photo.
How many people are inside the building is not something the image reveals.
What she is holding behind her back can't be seen.
Where the train is heading is unclear from the picture.
Whether the shop opens on Sundays is not stated anywhere on the sign.
The question can't be answered from what is shown.
The question asks about a red umbrella, but there is no umbrella in the picture, so I can't \
say what brand it is.
There is no cat in this image, so I am unable to tell you its breed.
The premise of the question seems wrong: no dog is visible, and therefore I can't say what it eats.
I couldn't find any information about the manufacturer in the image.
I could not make out the small print at the bottom.
I was not able to determine which team is playing.
I have been unable to work out the phone number from this scan.
I've looked carefully, but I can't find the answer in this chart.
I looked at the image closely; however, I am not able to decipher the handwriting.
Unable to answer: the table has no column for that year.
Cannot answer from the given data.
Not determinable from the image.
Insufficient information to determine the winner.
Insufficient data.
N/A - the image does not show this.
Not enough context to say.
Not visible in the image.
Not specified.
Information not available.
Unknown. The image doesn't tell us.
Unknown from the image.
Hard to say from this picture alone.
Difficult to determine.
No way to tell from here.
Beats me.
I haven't a clue.
I haven't the faintest idea.
No clue, sorry.
Dunno.
Your guess is as good as mine.
I'm stumped.
I am at a loss here; the picture tells me nothing about its owner.
It is anyone's guess how old he is.
There's no telling how long they have been waiting.
That is not something I can determine from a picture.
That's something I can't know from the photo.
This is not something that I'm able to answer.
This goes beyond what can be seen in the image.
Such details are outside the scope of what the image shows.
To answer this question, I would need to see the other side of the box.
To determine the price, additional information would be needed.
More details would be required in order to identify the exact model.
We would need to know the scale in order to give the length of the bridge.
You would have to check the manual; the picture does not show it.
Could you clarify which object you mean? I can't find a lamp in the image.
Can you please provide more details? I am not sure what you are asking.
I'm having trouble reading the text in this image. Could you upload a sharper version?
My knowledge does not extend to this topic, so I can't give a reliable answer.
I lack the visual detail needed to make that determination.
I don't have enough visual evidence to make a confident identification.
There isn't sufficient evidence in the photo to conclude who won.
The available evidence is not sufficient to decide between the two.
Neither image gives enough detail to decide which one is older.
None of the pictures contains enough information to settle this.
Nothing in this photo lets me determine the day of the week.
The chart does not list values for 2019, so the growth rate cannot be computed.
The diagram doesn't include the length of side AB, making it impossible to compute the area.
<think>The user wants to know the name of the man. I should look for a caption. I see none.\
</think>⏎⏎I can't tell what his name is, because there is no caption.
<think>⏎The label could read Fanta or Pepsi. It is really small.⏎</think>⏎The label is too small \
to read, so I can't say which brand it is.
<answer>Cannot be determined from the image</answer>
**Answer:** I cannot determine this from the image.
### Answer⏎The image does not contain the information needed to answer the question.
Assistant: I'm sorry, but I'm unable to answer that.<|im_end|>
Final answer: unanswerable
The answer is that we can't know.
The answer to this question is not provided in the image.
The correct answer cannot be determined without seeing the options.
To find the solution, let's look at the picture.⏎⏎1. The first panel shows a square.⏎2. The second \
panel shows a circle.⏎⏎Without the third panel, however, the pattern can't be completed. \
Therefore, I cannot determine which option is right.
The image shows a kitchen with a stove, a fridge and a table. There is a bowl of fruit on the \
table. However, the image does not provide any information about who lives there.
The image shows a group of people at a market. While it is possible that they are tourists, \
there is not enough information to say where they come from.
This appears to be a photo of a street at night. The street sign is out of focus, so I can't make \
out its name.
In the image, a woman holds a cup. It is unclear what she is drinking, as the contents of the cup \
are not visible.
Great question! Unfortunately, I don't have the tools to measure distances in photographs.
Thank you for sharing the picture. I'm afraid that I can't give a diagnosis from it; please see \
a doctor.
I appreciate your question, but it would not be appropriate for me to guess her income.
It would be irresponsible to diagnose a disease from this photo.
It's against my policy to identify people from their faces.
My policy prevents me from naming people in photos.
I don't think it's possible to tell from this angle.
I don't believe I can answer that from the picture.
I doubt that anyone could tell from this picture.
I'm not certain, and I don't want to guess.
Honestly, I couldn't say.
Sorry - no information about that here.
I regret to say that the answer is not in the picture.
It isn't possible for me to verify whether the signature is real.
There appears to be insufficient detail to determine the species of the bird.
"""
