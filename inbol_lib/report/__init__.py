"""Tables, figures and claims from the stages' outcomes, beside the paper's numbers.

Imports all rooms but `explore`, which alone imports it. Used by notebooks 06 to 09, and by the
others for their plots.
"""
