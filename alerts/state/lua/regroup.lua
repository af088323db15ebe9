-- ARGV: prefix, request, fence, keep_s, stories n, (id, expected revision, Story, last item's Unix seconds or '' = it leaves) * n,
-- bells n, (id, Bell) * n. Without stories the request is refused, and only taken off the list.
if redis.call('HGET', key('sifter'), 'fence') ~= ARGV[3] then return 'stale' end
if redis.call('LINDEX', key('stories:asked'), 0) ~= ARGV[2] then return 'already' end
local stories = tonumber(ARGV[5])
for i = 0, stories - 1 do
  local held = redis.call('HGET', key('story:' .. ARGV[6 + 4 * i]), 'rev') or '0'
  if tonumber(held) ~= tonumber(ARGV[7 + 4 * i]) then return 'stale' end
end
for i = 0, stories - 1 do
  local id, expected, json, last = ARGV[6 + 4 * i], tonumber(ARGV[7 + 4 * i]), ARGV[8 + 4 * i], ARGV[9 + 4 * i]
  redis.call('HSET', key('story:' .. id), 'rev', expected + 1, 'json', json)
  if last == '' then
    redis.call('ZREM', key('stories'), id)
    redis.call('EXPIRE', key('story:' .. id), ARGV[4])
  else
    redis.call('PERSIST', key('story:' .. id))
    redis.call('ZADD', key('stories'), last, id)
  end
end
keep_bells(6 + 4 * stories, ARGV[4])
redis.call('LPOP', key('stories:asked'))
return 'done'
