"""Text as the rest of Tocsin sees it: normal forms, tokens, languages, canonical URLs and fingerprints. All pure."""
