<?php
/**
 * Step `activate` (engine woocommerce): WooCommerce is loaded as it is for visitors, makes or upgrades
 * its tables, runs its database updates, which it would otherwise leave to cron, and is then made
 * active. Repeats what a killed run left half done. Not by activate_plugin(): it would load WooCommerce
 * too late for its own hooks, so that a second process had to load it all again.
 */
require __DIR__ . '/lib.php';
$urumi_settings = settings();
$urumi_db = connect(5);
lock($urumi_db, 'activate', 10);
$urumi_stored = option($urumi_db, 'woocommerce_version') ?? '0';
$urumi_plugins = array('woocommerce/woocommerce.php');
if ('0' === $urumi_stored) {
	ini_set('error_log', '/dev/null'); // it asks for its tables before it has made them
}
require __DIR__ . '/boot.php';
ini_restore('error_log');
if (!function_exists('WC') || !did_action('woocommerce_loaded')) {
	fail(FAILED, 'WooCommerce did not load');
}

$urumi_did = array();
if (version_compare($urumi_stored, WC()->version, '>')) {
	fail(FAILED, "the shop's database is of WooCommerce $urumi_stored, newer than " . WC()->version . ' in the image');
}
// Loading it has begun the installation where the stored version was lower. It writes the version
// before it is done: what was not seen to end is done again.
if (option($urumi_db, 'urumi_woocommerce') !== WC()->version) {
	if ($urumi_stored === (string) get_option('woocommerce_version', '0')) {
		WC_Install::install();
	}
	$urumi_did[] = 'WooCommerce ' . match ($urumi_stored) {
		'0' => 'installed',
		WC()->version => 'completed',
		default => "upgraded from $urumi_stored",
	};
}
if (WC_Install::verify_base_tables(false, false)) {
	$urumi_missing = WC_Install::verify_base_tables(false, true);
	if ($urumi_missing) {
		fail(FAILED, 'tables of WooCommerce are missing: ' . implode(', ', $urumi_missing));
	}
	$urumi_did[] = 'tables completed';
}

require_once WC_ABSPATH . 'includes/wc-update-functions.php';
$urumi_updates = WC_Install::get_db_update_callbacks();
uksort($urumi_updates, 'version_compare');
foreach ($urumi_updates as $urumi_version => $urumi_callbacks) {
	if (version_compare((string) get_option('woocommerce_db_version'), (string) $urumi_version, '>=')) {
		continue;
	}
	foreach ($urumi_callbacks as $urumi_callback) {
		while (is_callable($urumi_callback) && true === call_user_func($urumi_callback)) {
			continue; // it has more to do
		}
	}
	WC_Install::update_db_version($urumi_version);
	$urumi_did[] = "database updated to $urumi_version";
}
if (get_option('woocommerce_db_version') !== WC()->version) {
	WC_Install::update_db_version();
}
if (function_exists('as_unschedule_all_actions')) {
	as_unschedule_all_actions('woocommerce_run_update_callback');
	as_unschedule_all_actions('woocommerce_update_db_to_current_version');
}

// Without the filter: the owner's plugins stay in the list.
remove_filter('option_active_plugins', $urumi_only, PHP_INT_MAX);
$urumi_active = (array) get_option('active_plugins', array());
if (!in_array($urumi_plugins[0], $urumi_active, true)) {
	$urumi_active[] = $urumi_plugins[0];
	sort($urumi_active);
	update_option('active_plugins', $urumi_active);
	$urumi_did[] = 'WooCommerce activated';
}
set_option($urumi_db, 'urumi_woocommerce', WC()->version);
report(array('woocommerce' => WC()->version, 'did' => $urumi_did));
$urumi_done = true;
exit(0);
