<?php
/**
 * Step `activate` (engine woocommerce): the plugin is made active, by WordPress' own function. What a
 * kill leaves half done here is mended by step `tables`, which runs in a process where the plugin is
 * loaded as it is for visitors.
 */
require __DIR__ . '/lib.php';
$urumi_settings = settings();
$urumi_db = connect(5);
lock($urumi_db, 'activate', 10);
$urumi_plugins = array();
require __DIR__ . '/boot.php';
require_once ABSPATH . 'wp-admin/includes/plugin.php';

// Gone before activate_plugin(), which adds to what it reads: the owner's plugins would be lost.
remove_filter('option_active_plugins', $urumi_only, PHP_INT_MAX);
$urumi_did = array();
if (!is_plugin_active('woocommerce/woocommerce.php')) {
	$urumi_result = activate_plugin('woocommerce/woocommerce.php');
	if (is_wp_error($urumi_result)) {
		fail(FAILED, 'activating WooCommerce failed: ' . $urumi_result->get_error_message());
	}
	$urumi_did[] = 'WooCommerce activated';
}
report(array('did' => $urumi_did));
$urumi_done = true;
exit(0);
