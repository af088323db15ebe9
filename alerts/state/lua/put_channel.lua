-- ARGV: prefix, channel id, Channel ('' = remove it), a name no other change has. Who remembers the channels under another
-- name reads them again. What is known of its failures belongs to the channel as it was. Answers whether it was there, or 1.
if ARGV[3] == '' and redis.call('HEXISTS', key('channels'), ARGV[2]) == 0 then return 0 end
redis.call('SET', key('channels:version'), ARGV[4])
redis.call('HDEL', key('breakers'), ARGV[2])
redis.call('ZREM', key('lanes:rest'), ARGV[2])
redis.call('SREM', key('lanes:waiting'), ARGV[2])
if ARGV[3] == '' then return redis.call('HDEL', key('channels'), ARGV[2]) end
redis.call('HSET', key('channels'), ARGV[2], ARGV[3])
if redis.call('HEXISTS', key('lanes:owner'), ARGV[2]) == 0 then offer_lane(ARGV[2], now) end
return 1
