-- ARGV: prefix, limit of either kind, skip so many that are not urgent (and then all that are). Answers the version of the
-- channels, and the channel ids of the urgent and the other lanes that may be claimed now.
local limit, skip = tonumber(ARGV[2]), tonumber(ARGV[3])
local urgent = skip > 0 and {} or redis.call('ZRANGEBYSCORE', key('lanes:urgent'), '-inf', stamp(now), 'LIMIT', 0, limit)
local others = redis.call('ZRANGEBYSCORE', key('lanes'), '-inf', stamp(now), 'LIMIT', skip, limit)
return {redis.call('GET', key('channels:version')) or '', urgent, others}
