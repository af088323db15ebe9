-- ARGV: prefix, owner, lanes n, (channel, rest_s, Breaker, bucket, asked_s) * n. A lane is given back and offered behind
-- those that wait. Breaker: its JSON, 'closed', or '' = as it was. A bucket that is named was full although it seemed
-- not to be: the service asked this channel to wait asked_s; when it asked another one as well, all of the bucket rests.
local owner, channels = ARGV[2], {}
for i = 1, tonumber(ARGV[3]) do channels[i] = ARGV[4 + (i - 1) * 5] end
local owners = on_all('HMGET', 'lanes:owner', channels) or {}

local function note_limit(channel, bucket, asked)
  local limited, until_s = key('limited:' .. bucket), now + asked
  redis.call('ZREMRANGEBYSCORE', limited, '-inf', stamp(now))
  redis.call('ZADD', limited, stamp(until_s), channel)
  redis.call('EXPIRE', limited, math.ceil(asked) + 60)
  if redis.call('ZCARD', limited) > 1 then
    redis.call('HSET', key('bucket:' .. bucket), 'rest', stamp(until_s))
    redis.call('EXPIRE', key('bucket:' .. bucket), math.ceil(asked) + 60)
  end
end

local ours, leases, resting, rested, well, failing = {}, {}, {}, {}, {}, {}
for i, channel in ipairs(channels) do
  local at = 4 + (i - 1) * 5
  local rest, breaker, bucket = tonumber(ARGV[at + 1]), ARGV[at + 2], ARGV[at + 3]
  if owners[i] == owner then
    add(ours, channel)
    add(leases, 'lane:' .. channel)
    if rest > 0 then add(resting, stamp(now + rest), channel) else add(rested, channel) end
    if breaker == 'closed' then
      add(well, channel)
    elseif breaker ~= '' then
      add(failing, channel, breaker)
    end
    if bucket ~= '' then note_limit(channel, bucket, tonumber(ARGV[at + 4])) end
  end
end
on_all('HDEL', 'lanes:owner', ours)
on_all('ZREM', 'lanes:until', ours)
on_all('SREM', 'leases:' .. owner, leases)
on_all('ZADD', 'lanes:rest', resting)
on_all('ZREM', 'lanes:rest', rested)
on_all('HDEL', 'breakers', well)
on_all('HSET', 'breakers', failing)
offer_lanes(ours, now)
return #ours
