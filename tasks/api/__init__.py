"""The API, for programs and for the verbs: `SubmitHost`, the handle of a job, and the values that they return.

Nothing in here prints, reads a command line or keeps state outside its objects; news of progress goes to a listener.
"""
