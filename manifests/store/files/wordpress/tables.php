<?php
/**
 * Step `tables` (engine woocommerce), in a process of its own after `activate`: WooCommerce's tables
 * and its database updates, which it would otherwise leave to cron. Repeats what a killed run left
 * half done.
 */
require __DIR__ . '/lib.php';
$urumi_settings = settings();
$urumi_db = connect(5);
lock($urumi_db, 'tables', 10);
$urumi_stored = option($urumi_db, 'woocommerce_version') ?? '0';
$urumi_plugins = array('woocommerce/woocommerce.php');
require __DIR__ . '/boot.php';
if (!function_exists('WC') || !did_action('woocommerce_loaded')) {
	fail(FAILED, 'WooCommerce did not load');
}

$urumi_did = array();
if (version_compare($urumi_stored, WC()->version, '>')) {
	fail(FAILED, "the shop's database is of WooCommerce $urumi_stored, newer than " . WC()->version . ' in the image');
}
if (version_compare($urumi_stored, WC()->version, '<')) {
	WC_Install::install();
	$urumi_did[] = 'WooCommerce ' . ('0' === $urumi_stored ? 'installed' : "upgraded from $urumi_stored");
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
report(array('woocommerce' => WC()->version, 'did' => $urumi_did));
$urumi_done = true;
exit(0);
