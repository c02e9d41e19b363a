"""The whole experiment: from photos to what each part's loss does to the scores."""
