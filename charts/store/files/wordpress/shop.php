<?php
/**
 * Part of `configure` (engine woocommerce), until the ready marker exists: what a shop needs to take
 * an order, in one transaction: what WooCommerce does when one of its settings changes it does not
 * do again for a run that was killed in between.
 */
$wpdb->query('START TRANSACTION');
// Before newly_installed(): it adds "yes" where nothing is set, and the first request to wp-admin,
// even an anonymous one, would close the shop. Orders would work, the shop's pages not.
update_option('woocommerce_coming_soon', 'no');
update_option('woocommerce_store_pages_only', 'no');
WC_Install::newly_installed();
// Else whoever logs in within half a minute is led to WooCommerce's own wizard.
delete_transient('_wc_activation_redirect');
update_option('woocommerce_custom_orders_table_enabled', 'yes');
update_option('woocommerce_onboarding_profile', array('skipped' => true));
update_option('woocommerce_task_list_hidden_lists', array('setup', 'extended'));
update_option('woocommerce_show_marketplace_suggestions', 'no');
update_option('woocommerce_allow_tracking', 'no');
update_option('woocommerce_enable_guest_checkout', 'yes');
// After a kill a category's number and that of its taxonomy differ, and WooCommerce takes one for the other.
$urumi_category = get_term_by('slug', 'uncategorized', 'product_cat');
if ($urumi_category && !term_exists((int) get_option('default_product_cat'), 'product_cat')) {
	update_option('default_product_cat', $urumi_category->term_id);
}
WC_Install::create_pages();
update_option('show_on_front', 'page'); // visitors of a shop come to its products
update_option('page_on_front', wc_get_page_id('shop'));
if (is_file(WP_CONTENT_DIR . '/themes/storefront/style.css')) { // an image of ours has it
	update_option('template', 'storefront');
	update_option('stylesheet', 'storefront');
}

$urumi_cod = get_option('woocommerce_cod_settings');
$urumi_cod = is_array($urumi_cod) ? $urumi_cod : array();
if ('yes' !== ($urumi_cod['enabled'] ?? 'no')) {
	$urumi_defaults = array('title' => 'Cash on delivery', 'description' => 'Pay with cash upon delivery.', 'instructions' => 'Pay with cash upon delivery.');
	update_option('woocommerce_cod_settings', array('enabled' => 'yes') + $urumi_cod + $urumi_defaults);
}
$urumi_zone = new WC_Shipping_Zone(0); // everywhere else
if (!$urumi_zone->get_shipping_methods()) {
	$urumi_method = $urumi_zone->add_shipping_method('flat_rate');
	update_option(
		"woocommerce_flat_rate_{$urumi_method}_settings",
		array('title' => 'Flat rate', 'tax_status' => 'taxable', 'cost' => '5')
	);
}
$wpdb->query('COMMIT');
$urumi_did[] = 'shop configured';
