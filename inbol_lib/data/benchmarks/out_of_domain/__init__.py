"""The sets that are only tested on: A-OKVQA, GQA, MMMU, MMBench, BeyondVisQA, VizWiz, VQAv2-IDK."""
