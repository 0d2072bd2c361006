"""The sharing register: which list pictures left or came, to or from whom, under which agreement, and what became
of them.

Read in this order: `statements` (what people sign), `register` (what has been recorded), `rules` (what may be
recorded next), `answers` (what is said about it to others).
Pure: values and instants in, values out.
"""
