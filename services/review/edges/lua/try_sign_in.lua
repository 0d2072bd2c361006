-- One try to sign in: counted in each of its counts, or refused, in one step.
-- KEYS: the place; then the counts. ARGV: for each count its at_once, every_ms, and 1 if it holds at new places only.
-- A count is the time (ms) at which it is empty again. Returns 0, or the ms until a try is heard.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local is_known = redis.call('EXISTS', KEYS[1]) == 1
local wait, after = 0, {}
-- Somebody else may have written there: what is no time is none, and nobody is shut out for longer than a full count.
local function held(name, most)
  local found = redis.pcall('GET', name)
  local ms = type(found) == 'string' and tonumber(found) or 0
  return ms >= 0 and math.min(ms, most) or 0
end
for i = 2, #KEYS do
  local at_once, every, where_new = tonumber(ARGV[3 * i - 5]), tonumber(ARGV[3 * i - 4]), ARGV[3 * i - 3]
  if where_new == '0' or not is_known then
    local empty = math.max(now, held(KEYS[i], now + at_once * every)) + every
    wait = math.max(wait, empty - at_once * every - now)
    after[KEYS[i]] = empty
  end
end
if wait > 0 then
  return wait
end
for name, empty in pairs(after) do
  redis.call('SET', name, string.format('%.0f', empty), 'PX', string.format('%.0f', empty - now))
end
return 0
