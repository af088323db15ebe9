-- ARGV: prefix, channel id, Channel ('' = remove it), a name no other change has. Who remembers the channels under another
-- name reads them again. Answers how many channels were removed, or 1.
redis.call('SET', key('channels:version'), ARGV[4])
if ARGV[3] == '' then
  redis.call('HDEL', key('breakers'), ARGV[2])
  redis.call('SREM', key('lanes:waiting'), ARGV[2])
  return redis.call('HDEL', key('channels'), ARGV[2])
end
redis.call('HSET', key('channels'), ARGV[2], ARGV[3])
return 1
