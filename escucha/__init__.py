"""The words of social listening that every part of Escucha, and every plug-in, speaks."""
