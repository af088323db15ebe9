-- ARGV: prefix, owner, lanes n, (channel, rest_s, Breaker, bucket, asked_s) * n. A lane is given back and offered behind
-- those that wait. Breaker: its JSON, 'closed', or '' = as it was. A bucket that is named was full although it seemed
-- not to be: the service asked this channel to wait asked_s; when it asked another one as well, all of the bucket rests.
local owner, done = ARGV[2], 0
for i = 1, tonumber(ARGV[3]) do
  local at = 4 + (i - 1) * 5
  local channel, rest, breaker, bucket, asked = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2], ARGV[at + 3], tonumber(ARGV[at + 4])
  if redis.call('HGET', key('lanes:owner'), channel) == owner then
    end_lane_lease(channel, owner)
    if rest > 0 then
      redis.call('ZADD', key('lanes:rest'), stamp(now + rest), channel)
    else
      redis.call('ZREM', key('lanes:rest'), channel)
    end
    if breaker == 'closed' then
      redis.call('HDEL', key('breakers'), channel)
    elseif breaker ~= '' then
      redis.call('HSET', key('breakers'), channel, breaker)
    end
    if bucket ~= '' then
      local limited, until_s = key('limited:' .. bucket), now + asked
      redis.call('ZREMRANGEBYSCORE', limited, '-inf', stamp(now))
      redis.call('ZADD', limited, stamp(until_s), channel)
      redis.call('EXPIRE', limited, math.ceil(asked) + 60)
      if redis.call('ZCARD', limited) > 1 then
        redis.call('HSET', key('bucket:' .. bucket), 'rest', stamp(until_s))
        redis.call('EXPIRE', key('bucket:' .. bucket), math.ceil(asked) + 60)
      end
    end
    offer_lane(channel, now)
    done = done + 1
  end
end
return done
