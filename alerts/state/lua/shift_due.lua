-- ARGV: prefix, seconds. Moves every due time and lease end after the host's clock jumped.
local by = ARGV[2]
for _, name in ipairs({'due', 'lanes', 'lanes:urgent', 'lanes:until', 'lanes:rest', 'digests'}) do
  for _, member in ipairs(redis.call('ZRANGE', key(name), 0, -1)) do redis.call('ZINCRBY', key(name), by, member) end
end
for _, channel in ipairs(redis.call('HKEYS', key('channels'))) do
  local lane = key('lane:' .. channel)
  for _, id in ipairs(redis.call('ZRANGE', lane, 0, -1)) do redis.call('ZINCRBY', lane, by, id) end
end
return 'done'
