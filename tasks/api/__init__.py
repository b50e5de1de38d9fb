"""The sentence that verbs and programs both say: `SubmitHost`, the handle of a job, and the values they return.

Nothing in here prints, reads a command line or keeps state outside its objects; what is to be told goes to a listener.
"""
