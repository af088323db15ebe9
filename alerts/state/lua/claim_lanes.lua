-- ARGV: prefix, owner, lanes, batch, lease_s. Answers rows of channel id, Channel, then (delivery id, its hash) pairs.
local owner, lanes, batch, lease = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local rows = {}
for _, channel in ipairs(redis.call('ZRANGEBYSCORE', key('lanes'), '-inf', stamp(now), 'LIMIT', 0, lanes)) do
  local lane = key('lane:' .. channel)
  local row = {channel, redis.call('HGET', key('channels'), channel)}
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', lane, '-inf', stamp(now), 'LIMIT', 0, batch)) do
    local delivery = key('delivery:' .. id)
    local status = redis.call('HGET', delivery, 'status')
    if status then
      if status == 'sending' then redis.call('HSET', delivery, 'repeat', '1') end
      redis.call('HINCRBY', delivery, 'attempts', 1)
      redis.call('HSET', delivery, 'status', 'sending', 'owner', owner)
      row[#row + 1] = {id, redis.call('HGETALL', delivery)}
    else
      redis.call('ZREM', lane, id)
    end
  end
  redis.call('ZREM', key('lanes'), channel)
  if #row > 2 then
    redis.call('HSET', key('lanes:owner'), channel, owner)
    redis.call('ZADD', key('lanes:until'), stamp(now + lease), channel)
    redis.call('SADD', key('leases:' .. owner), 'lane:' .. channel)
    rows[#rows + 1] = row
  else
    offer_lane(channel, 0)
  end
end
return rows
