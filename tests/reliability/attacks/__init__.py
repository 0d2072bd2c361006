"""Everything an authority must withstand, tried on the real services under load.

Each attack has a town of its own, or shares one: matchers that are processes of `services.match`, a real broker,
two Redis servers, an authority that stands, and a crowd of listed people who walk past without end. Each of their
faces scores above the threshold, so **every search raises an alert, and no search can hide**. Most attackers hold
oversight's own key and write whatever they like: more than anybody has who only reaches the topic.

What counts as a search outside (judge.py) does not rest on match's word alone:

- *Our own clock brackets it.* We know when we wrote each face, and when its alert could first be read: it was
  searched in between. If no moment in between was authorised, the search was outside, whatever the alert says.
- *Its word can only convict.* `searched_at` outside what was authorised, or outside the bracket, is outside too.
- *What it was* must be authorised: camera, list digest, score kind, version, subject. Look-alikes who score just
  below the threshold walk along: an alert on one of them is outside.
- *The books are compared.* match's `counts` may not speak of more searches than there are alerts and look-alikes.

What this cannot see: a search whose outcome was thrown away with its transaction. Nothing came of it.

"Authorised" ends two seconds after a stop, a suspension or a revocation was written; where the attacker withholds
the lease itself, ten seconds after the last one (decision 4); at a window's end, at once. In the same run a town
also searches when it may: before, and where the authority can stand again, after the attack (`searches_inside`).
"""
