-- One move of a case, whole or not at all: every value must still be the one that was decided on, then everything is
-- written: the case, its indexes, its pictures, its events in the outbox, and word of the change.
--
-- KEYS: every key read or written. ARGV: how many values are expected, then key and beginning of each (an empty
-- beginning: there must be nothing yet; a value begins with its version); then the commands, each led by how many
-- words it has. The values are sealed beforehand: this script holds no key, and believes nothing that it reads.
-- Answers how many keys of a type that is not ours were thrown away on the way; or, if a value has moved on,
-- {key, value}: read again, decide again.
local ours = {ZADD = 'zset', ZREM = 'zset', XADD = 'stream', HSET = 'hash'}
local at = 1
local function take()
  local word = ARGV[at]
  at = at + 1
  return word
end

for _ = 1, tonumber(take()) do
  local key, expected = take(), take()
  local found = redis.pcall('GET', key)
  -- Of another type: nothing that we wrote, and SET writes over it.
  if not found or type(found) == 'table' then
    found = ''
  end
  if (expected == '' and found ~= '') or string.sub(found, 1, #expected) ~= expected then
    return {key, found}
  end
end
-- Before anything is written: a command that fails half way would leave half a move.
local first, foreign = at, 0
while at <= #ARGV do
  local words = tonumber(take())
  local wanted = ours[ARGV[at]]
  if wanted then
    local is = redis.call('TYPE', ARGV[at + 1]).ok
    if is ~= 'none' and is ~= wanted then
      redis.call('DEL', ARGV[at + 1])
      foreign = foreign + 1
    end
  end
  at = at + words
end
at = first
while at <= #ARGV do
  local words = tonumber(take())
  redis.call(unpack(ARGV, at, at + words - 1))
  at = at + words
end
return foreign
