/* hosu:job
target   = "curated.daily_actives"
mode     = "full"
schedule = "after curated.logins"
tests    = ["players <= logins", "row_count > 0"]
*/
select cast(event_time as date) as day,
       count(*) as logins,
       count(distinct user_id) as players,
       count(distinct case when first_login then user_id end) as new_players
from curated.logins
group by cast(event_time as date)
