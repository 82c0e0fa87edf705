"""Operations that the venue has and the box has not: each answers 501 and names itself.

A client never takes such an answer for a missing order or an empty list.
Source: the venue's published interface 3.34, of which this and the operations served are the whole.
"""

from collections.abc import Callable

from fairstrike.exchange.api.call import BoxResponse, Call, Desk, error

UNSERVED = (
    ("POST", "account/api_usage_level/upgrade"),
    ("POST", "api_keys"),
    ("POST", "api_keys/generate"),
    ("DELETE", "api_keys/*"),
    ("GET", "communications/block-trade-proposals"),
    ("POST", "communications/block-trade-proposals"),
    ("POST", "communications/block-trade-proposals/*/accept"),
    ("GET", "communications/id"),
    ("GET", "communications/quotes"),
    ("POST", "communications/quotes"),
    ("DELETE", "communications/quotes/*"),
    ("GET", "communications/quotes/*"),
    ("PUT", "communications/quotes/*/accept"),
    ("PUT", "communications/quotes/*/confirm"),
    ("GET", "communications/rfqs"),
    ("POST", "communications/rfqs"),
    ("DELETE", "communications/rfqs/*"),
    ("GET", "communications/rfqs/*"),
    ("DELETE", "communications/rfqs/*/quotes/*"),
    ("GET", "communications/rfqs/*/quotes/*"),
    ("PUT", "communications/rfqs/*/quotes/*/accept"),
    ("PUT", "communications/rfqs/*/quotes/*/confirm"),
    ("GET", "fcm/fills"),
    ("GET", "fcm/orders"),
    ("GET", "fcm/positions"),
    ("POST", "fcm/positions/transfers"),
    ("GET", "fcm/subtraders"),
    ("POST", "fcm/subtraders"),
    ("GET", "fcm/subtraders/blocked_categories"),
    ("PUT", "fcm/subtraders/blocked_categories"),
    ("DELETE", "fcm/subtraders/event_contract_daily_cap"),
    ("GET", "fcm/subtraders/event_contract_daily_cap"),
    ("PUT", "fcm/subtraders/event_contract_daily_cap"),
    ("GET", "live_data/batch"),
    ("GET", "live_data/events/*"),
    ("GET", "live_data/milestone/*"),
    ("GET", "live_data/milestone/*/game_stats"),
    ("GET", "live_data/weather/*"),
    ("GET", "live_data/weather/*/calibrations"),
    ("GET", "live_data/*/milestone/*"),
    ("GET", "milestones"),
    ("GET", "milestones/*"),
    ("GET", "multivariate_event_collections/*"),
    ("POST", "multivariate_event_collections/*"),
    ("GET", "search/filters_by_sport"),
    ("GET", "search/tags_by_categories"),
    ("GET", "series/*/events/*/forecast_percentile_history"),
    ("GET", "structured_targets"),
    ("GET", "structured_targets/*"),
)
"""Method and path below the root of each; "*" is a name."""


def refusing(method: str, path: str) -> Callable[[Desk, Call], BoxResponse]:
    """Give what refuses `method` on `path`: 501, with the operation's name as its details."""

    def refuse(desk: Desk, call: Call) -> BoxResponse:
        names = path
        for name in call.names:
            names = names.replace("*", name, 1)
        return error(
            501, "not_implemented", "the exchange in a box does not serve this operation", f"{method} /{names}"
        )

    return refuse
