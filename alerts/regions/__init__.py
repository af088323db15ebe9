"""Where in the world a text is: names of countries in all languages, areas that rules name, and the three-valued test."""
