-- ARGV: prefix, source, expected revision, request id, owner, PollState, due, chunks n, (number, bytes) * n,
-- changes n, change * n.
local source, expected, request, owner, state, due = ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local poll = key('poll:' .. source)
local rev = tonumber(redis.call('HGET', poll, 'rev') or '0')
if rev ~= expected or redis.call('HEXISTS', key('sources'), source) == 0 then
  if redis.call('HGET', poll, 'req') == request then return 'already' end
  end_source_lease(source, owner)
  return 'stale'
end
local at = 8
local chunks = tonumber(ARGV[at])
for i = 1, chunks do
  local number, bytes = ARGV[at + 1], ARGV[at + 2]
  if bytes == '' then
    redis.call('HDEL', key('seen:' .. source), number)
  else
    redis.call('HSET', key('seen:' .. source), number, bytes)
  end
  at = at + 2
end
local changes = tonumber(ARGV[at + 1])
for i = 1, changes do
  redis.call('XADD', key('items'), '*', 'c', ARGV[at + 1 + i])
end
redis.call('HSET', poll, 'rev', rev + 1, 'req', request, 'json', state)
if redis.call('SISMEMBER', key('paused'), source) == 1 then
  redis.call('ZREM', key('due'), source)
else
  redis.call('ZADD', key('due'), due, source)
end
end_source_lease(source, owner)
count('polls')
if changes > 0 then count('changes', changes) end
return 'done'
