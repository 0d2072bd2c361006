-- One move of a case, whole or not at all: every value must still be the one that was decided on, then everything is
-- written: the case, its indexes, its pictures, its events in the outbox, and word of the change.
--
-- KEYS: every key read or written. ARGV: how many values are expected, then key and beginning of each (an empty
-- beginning: there must be nothing yet; a value begins with its version); then the commands, each led by how many
-- words it has. The values are sealed beforehand: this script holds no key, and believes nothing that it reads.
-- Answers how many things that are not ours were put right on the way: keys of another type, entries of another shape,
-- streams set to their end; or, if a value has moved on, {key, value}: read again, decide again.
local ours = {ZADD = 'zset', ZREM = 'zset', XADD = 'stream', HSET = 'hash'}
local at = 1
local function take()
  local word = ARGV[at]
  at = at + 1
  return word
end

-- A stream gives no id below its last one, and none at all after the highest; removing entries does not bring it back.
-- An id that lies further ahead of the server's clock than clocks differ is nobody's who writes `XADD *`.
local AHEAD_MS, OF_ENTRY = 3600000, 4
local function is_ahead(id)
  local time = redis.call('TIME')
  return tonumber(string.match(id, '^%d+')) > time[1] * 1000 + AHEAD_MS
end
local function last_id(stream)
  local info = redis.call('XINFO', 'STREAM', stream)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then
      return info[i + 1]
    end
  end
end
-- Written anew rather than set back, which newer servers refuse. Entries from ahead get an id of now: whether one is
-- ours is for the relay to tell. One of another shape is not, and could have more words than a command takes.
local function bring_back(stream)
  local entries, put_right = redis.call('XRANGE', stream, '-', '+'), 1
  redis.call('DEL', stream)
  for _, entry in ipairs(entries) do
    local id, words = entry[1], entry[2]
    if #words == OF_ENTRY then
      redis.call('XADD', stream, is_ahead(id) and '*' or id, unpack(words))
    else
      put_right = put_right + 1
    end
  end
  return put_right
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
    elseif is == 'stream' and is_ahead(last_id(ARGV[at + 1])) then
      foreign = foreign + bring_back(ARGV[at + 1])
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
