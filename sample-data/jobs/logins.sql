/* hosu:job
target       = "curated.logins"
mode         = "append"
schedule     = "after raw.events"
partition_by = ["day(event_time)"]
tests        = ["user_id is not null"]
*/
select event_id, event_time, user_id, geo.country, device.os, login_method, first_login
from raw.events
where type = 'login'
