"""From the settings of a route to the options in the engine's words."""

from connector_service.domain.kinds import Kind
from connector_service.domain.status_codes import StatusCode
from connector_service.engine.setup import RouteOptions
from connector_service.settings import Route


def route_options(route: Route) -> RouteOptions:
    """The options of a route."""
    options = route.options
    return RouteOptions(
        begin=route.sync.begin,
        items=route.sync.items,
        made_from=_made_from(options.sales_invoices_from, options.vendor_bills_from),
        require_sent=options.require_sent,
        approved_only=options.approved_only,
        after_edit=options.after_edit,
        mark_sales_paid=options.mark_sales_paid,
        mark_bills_paid=options.mark_bills_paid,
        auto_link=options.auto_link,
        closed_period=options.closed_period,
        stop_after_error=options.stop_after_error,
        batch_size=options.batch_size,
        burst_minutes=options.burst_minutes,
        max_new_per_run=options.max_new_per_run,
        checks_off=frozenset(StatusCode(code) for code in options.checks_off),
    )


def _made_from(sales: str, bills: str) -> dict[Kind, str]:
    made = {}
    if sales != "invoice":
        made[Kind.SALES_INVOICE] = sales
    if bills != "vendor_invoice":
        made[Kind.VENDOR_BILL] = bills
    return made
