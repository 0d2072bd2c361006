-- The audit requests of an outbox entry, and their first number: what whoever asks first says, for everybody after.
--
-- KEYS: the outbox, the minutes. ARGV: the entry, how many requests, the requests (as one string).
-- Answers {first number, requests}, or nothing if the entry has left the outbox: then it is told already.
if #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0 then
  return {}
end
local first = redis.call('HGET', KEYS[2], ARGV[1] .. '/first')
if not first then
  local many = tonumber(ARGV[2])
  if many == 0 then
    return {}
  end
  first = redis.call('HINCRBY', KEYS[2], 'last', many) - many + 1
  redis.call('HSET', KEYS[2], ARGV[1] .. '/first', first, ARGV[1] .. '/requests', ARGV[3])
end
return {tonumber(first), redis.call('HGET', KEYS[2], ARGV[1] .. '/requests')}
