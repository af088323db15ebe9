-- What every script begins with: the prefix, the clock, and the leases.
local prefix = ARGV[1]
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000

local function key(name) return prefix .. name end
local function stamp(seconds) return string.format('%.3f', seconds) end
local function count(name, by) redis.call('HINCRBY', key('counters'), name, by or 1) end

-- The lane may be claimed: it is due when its first delivery is, but not before `earliest`, nor while it rests.
local function offer_lane(channel, earliest)
  local first = redis.call('ZRANGE', key('lane:' .. channel), 0, 0, 'WITHSCORES')
  if first[2] then
    local rest = tonumber(redis.call('ZSCORE', key('lanes:rest'), channel) or '0')
    redis.call('ZADD', key('lanes'), stamp(math.max(tonumber(first[2]), earliest, rest)), channel)
  else
    redis.call('ZREM', key('lanes'), channel)
  end
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
