-- The audit requests of an outbox entry, numbered: what whoever asks first says, for everybody after.
--
-- KEYS: the outbox, the minutes. ARGV: the entry; the requests, sealed, or nothing; how a value begins that is there
-- and not to be believed, or nothing.
-- Answers the requests that hold; nothing if the entry has left the outbox (then it is told already), or has none.
if #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0 then
  return false
end
local is = redis.call('TYPE', KEYS[2]).ok
if is ~= 'none' and is ~= 'hash' then
  redis.call('DEL', KEYS[2])
end
local held = redis.call('HGET', KEYS[2], ARGV[1])
if held and (ARGV[3] == '' or string.sub(held, 1, #ARGV[3]) ~= ARGV[3]) then
  return held
end
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[2], ARGV[1])
  return false
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return ARGV[2]
