"""The models: taggers that read a text and say what it is about."""
