"""Tables, figures and claims from the stages' outcomes, beside the paper's numbers.

Imports all other rooms and is imported by none. Used by notebooks 06 to 09, and by the others for
their plots.
"""
