"""The rules of the migrations suite, by what they need to judge: a trace, or nothing but the file."""
