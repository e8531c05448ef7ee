"""The command line: it parses words, starts commands and renders what they return; it holds no rule."""
