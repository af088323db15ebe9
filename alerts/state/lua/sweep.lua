-- ARGV: prefix, keep_s, story_keep_s. Answers freed lanes, trimmed items, closed stories.
local freed = 0
for _, channel in ipairs(redis.call('ZRANGEBYSCORE', key('lanes:until'), '-inf', stamp(now), 'LIMIT', 0, 200)) do
  end_lane_lease(channel, redis.call('HGET', key('lanes:owner'), channel) or '')
  offer_lane(channel, now)
  freed = freed + 1
end
redis.call('ZREMRANGEBYSCORE', key('lanes:rest'), '-inf', stamp(now))
-- Everything before the oldest unacknowledged item, or up to the last one handed out, is done with.
local trimmed = 0
local groups = redis.call('XINFO', 'GROUPS', key('items'))
if groups[1] then
  local pending = redis.call('XPENDING', key('items'), 'sift')
  local oldest = pending[2]
  if not oldest then
    for i = 1, #groups[1], 2 do
      if groups[1][i] == 'last-delivered-id' then oldest = groups[1][i + 1] end
    end
  end
  if oldest and oldest ~= '0-0' then trimmed = redis.call('XTRIM', key('items'), 'MINID', oldest) end
end
local closed = redis.call('ZRANGEBYSCORE', key('stories'), '-inf', stamp(now - tonumber(ARGV[3])), 'LIMIT', 0, 500)
for _, story in ipairs(closed) do
  redis.call('DEL', key('story:' .. story))
  redis.call('ZREM', key('stories'), story)
end
local past = stamp(now - tonumber(ARGV[2]))
redis.call('ZREMRANGEBYSCORE', key('deliveries'), '-inf', past)
redis.call('ZREMRANGEBYSCORE', key('alerts:me'), '-inf', past)
-- Some of the subscribers, at random: all of them would hold up everybody, and time after time each has its turn.
for _, subscriber in ipairs(redis.call('HRANDFIELD', key('subscribers'), 200)) do
  redis.call('ZREMRANGEBYSCORE', key('alerts:' .. subscriber), '-inf', past)
end
return {freed, trimmed, #closed}
