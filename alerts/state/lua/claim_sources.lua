-- ARGV: prefix, owner, limit, horizon_s, lease_s, source ('' = whatever is due), downtime_s.
-- Answers the end of our last downtime, then rows of source id, due, Source, PollState.
local owner, limit, horizon, lease, only = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local ids
if only == '' then
  local tick = tonumber(redis.call('GET', key('tick')))
  if tick and now - tick > tonumber(ARGV[7]) then redis.call('SET', key('downtime'), stamp(now)) end
  redis.call('SET', key('tick'), stamp(now))
  ids = redis.call('ZRANGEBYSCORE', key('due'), '-inf', stamp(now + horizon), 'LIMIT', 0, limit)
else
  ids = {only}
end
local rows = {redis.call('GET', key('downtime')) or '0'}
for _, id in ipairs(ids) do
  local source = redis.call('HGET', key('sources'), id)
  if source then
    local due = redis.call('ZSCORE', key('due'), id) or stamp(now)
    redis.call('ZADD', key('due'), stamp(now + lease), id)
    redis.call('HSET', key('lease:source'), id, owner)
    redis.call('SADD', key('leases:' .. owner), 'source:' .. id)
    rows[#rows + 1] = {id, due, source, redis.call('HGET', key('poll:' .. id), 'json')}
  else
    redis.call('ZREM', key('due'), id)
  end
end
return rows
