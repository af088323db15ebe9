"""Sources: asking them, reading what they answer, and finding out about new ones.

Read in the order of the data: `cadence` says when, `fetch` brings a page, `parse` makes items of it by kind (`feed`,
`ticker`, `jsonapi`). `discover`, `opml` and `load` are how sources come to be known.
"""
