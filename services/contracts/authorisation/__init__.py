"""The signed authority: its document, who may sign what, its states, and the gate every service keeps.

Read in this order: `document` (what is signed), `rules` (what it must say), `statements` (what people and
oversight sign about it), `approvals` (is it authorised?), `states` (who may move it when), `gate` (may this be
searched now?), `bridge` (what today's services read).
Pure: bytes and instants in, values out.
"""
