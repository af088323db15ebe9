-- What every script begins with: the prefix, the clock, and the leases.
local prefix = ARGV[1]
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000

local function key(name) return prefix .. name end
-- To the microsecond: what is written one after the other stays in that order.
local function stamp(seconds) return string.format('%.6f', seconds) end
local function count(name, by) redis.call('HINCRBY', key('counters'), name, by or 1) end

-- In a lane, urgent deliveries stand before all others: their due times are this much lower, and so negative.
local URGENT = 10000000000

-- The lane may be claimed: it is due when its first delivery is, but not before `earliest`, nor while it rests. A lane
-- stands with the urgent ones when its first delivery is urgent.
local function offer_lane(channel, earliest)
  local first = redis.call('ZRANGE', key('lane:' .. channel), 0, 0, 'WITHSCORES')
  if not first[2] then
    redis.call('ZREM', key('lanes'), channel)
    redis.call('ZREM', key('lanes:urgent'), channel)
    return
  end
  local due, here, there = tonumber(first[2]), 'lanes', 'lanes:urgent'
  if due < 0 then due, here, there = due + URGENT, there, here end
  local rest = tonumber(redis.call('ZSCORE', key('lanes:rest'), channel) or '0')
  redis.call('ZADD', key(here), stamp(math.max(due, earliest, rest)), channel)
  redis.call('ZREM', key(there), channel)
end

-- A delivery was put into the lane: offer it, unless somebody serves it or it is offered as well already.
local function offer_for(channel, is_urgent)
  if redis.call('HEXISTS', key('lanes:owner'), channel) == 1 then return end
  local offered = redis.call('ZSCORE', key('lanes:urgent'), channel)
  if not offered and not is_urgent then offered = redis.call('ZSCORE', key('lanes'), channel) end
  if not offered or tonumber(offered) > now then offer_lane(channel, now) end
end

local function end_lane_lease(channel, owner)
  redis.call('HDEL', key('lanes:owner'), channel)
  redis.call('ZREM', key('lanes:until'), channel)
  redis.call('SREM', key('leases:' .. owner), 'lane:' .. channel)
end

local function end_source_lease(source, owner)
  if redis.call('HGET', key('lease:source'), source) == owner then
    redis.call('HDEL', key('lease:source'), source)
  end
  redis.call('SREM', key('leases:' .. owner), 'source:' .. source)
end

-- Bells to be expanded, from ARGV[at] on: how many, then id and JSON of each. One that is there is not written again.
local function keep_bells(at, keep)
  for i = 1, tonumber(ARGV[at]) do
    local bell = key('bell:' .. ARGV[at + 2 * i - 1])
    if redis.call('EXISTS', bell) == 0 then
      redis.call('HSET', bell, 'json', ARGV[at + 2 * i], 'cursor', '0:')
      redis.call('EXPIRE', bell, keep)
      redis.call('ZADD', key('fanouts'), string.format('%.6f', now + i / 1000000), ARGV[at + 2 * i - 1])
      count('bells')
    end
  end
end

-- A delivery that waits, held or in a digest, is told along by another one.
local function carry(id, by, channel)
  local delivery = key('delivery:' .. id)
  local held = redis.call('HMGET', delivery, 'status', 'digest')
  if held[1] ~= 'held' then return end
  redis.call('HSET', delivery, 'status', 'digested', 'reason', 'told by ' .. by, 'carried', by)
  redis.call('ZREM', key('lane:' .. channel), id)
  if held[2] then redis.call('ZREM', key('digest:' .. held[2]), id) end
end
