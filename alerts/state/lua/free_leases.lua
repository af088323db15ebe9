-- ARGV: prefix, owner. What a dead worker held is due again at once.
local owner, freed = ARGV[2], 0
for _, lease in ipairs(redis.call('SMEMBERS', key('leases:' .. owner))) do
  local kind, id = string.match(lease, '^(%a+):(.*)$')
  if kind == 'source' and redis.call('HGET', key('lease:source'), id) == owner then
    redis.call('HDEL', key('lease:source'), id)
    if redis.call('SISMEMBER', key('paused'), id) == 0 then redis.call('ZADD', key('due'), stamp(now), id) end
    freed = freed + 1
  elseif kind == 'lane' and redis.call('HGET', key('lanes:owner'), id) == owner then
    end_lane_lease(id, owner)
    offer_lane(id, now)
    freed = freed + 1
  end
end
redis.call('DEL', key('leases:' .. owner))
redis.call('HDEL', key('owners'), owner)
if redis.call('HGET', key('sifter'), 'owner') == owner then
  redis.call('HSET', key('sifter'), 'owner', '', 'until', '0')
  freed = freed + 1
end
return freed
