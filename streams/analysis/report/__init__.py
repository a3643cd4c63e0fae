"""The report: what was true in a time that is over, with all that was told of it afterwards. A subject a file, over the rows."""
