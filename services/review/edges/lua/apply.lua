-- One move of a case, whole or not at all: every version must still be what was decided on, then everything is
-- written: the case, its indexes, its pictures, its events in the outbox, and word of the change.
--
-- KEYS: every key read or written. ARGV: how many versions are expected, then key and version of each (an empty
-- version: there must be none yet); then the commands, each led by how many words it has.
-- Answers 1, or 0 if a version has moved on: read again, decide again.
local at = 1
local function take()
  local word = ARGV[at]
  at = at + 1
  return word
end

for _ = 1, tonumber(take()) do
  local key, expected = take(), take()
  if (redis.call('HGET', key, 'version') or '') ~= expected then
    return 0
  end
end
while at <= #ARGV do
  local words = tonumber(take())
  redis.call(unpack(ARGV, at, at + words - 1))
  at = at + words
end
return 1
