<?php
/**
 * Step `order` (engine woocommerce), once in a shop's life, before its ready marker: first it offers a
 * product made for it, so that nothing of the shop's is touched; set-up buys it; then, told of the order
 * that was `placed`, it removes both. The option urumi_order says "begun" meanwhile. It is set where
 * there is no order at all and nobody can visit: whatever order is found beside it is one of set-up's,
 * whole or half.
 */
require __DIR__ . '/lib.php';
require __DIR__ . '/customer.php';
const SKU = 'urumi-set-up';

/** Removes the product and all orders, and what WooCommerce remembers of them: all or nothing. */
function remove_evidence(): void {
	global $wpdb;
	$p = $wpdb->prefix;
	// A run leaves one order, or pieces of it. Several are somebody's, whatever the option says.
	if ((int) $wpdb->get_var("SELECT COUNT(*) FROM {$p}wc_orders") > 2) {
		fail(FAILED, 'the shop has orders that set-up did not place; they were left alone');
	}
	$wpdb->query('START TRANSACTION');
	$product = wc_get_product((int) wc_get_product_id_by_sku(SKU));
	if ($product) {
		$product->delete(true);
	}
	// By SQL and not by WooCommerce: of an order that was cut short it does not find the pieces.
	$tables = array(
		'wc_orders', 'wc_orders_meta', 'wc_order_addresses', 'wc_order_operational_data', 'woocommerce_order_items',
		'woocommerce_order_itemmeta', 'wc_order_stats', 'wc_order_product_lookup', 'wc_order_tax_lookup',
		'wc_order_coupon_lookup', 'wc_reserved_stock', 'woocommerce_sessions',
	);
	foreach ($tables as $table) {
		$wpdb->query("DELETE FROM $p$table");
	}
	$wpdb->delete("{$p}wc_customer_lookup", array('email' => CUSTOMER));
	$wpdb->query("DELETE meta FROM $wpdb->commentmeta meta JOIN $wpdb->comments USING (comment_ID) WHERE comment_type = 'order_note'");
	$wpdb->query("DELETE FROM $wpdb->comments WHERE comment_type = 'order_note'");
	$wpdb->query("DELETE meta FROM $wpdb->postmeta meta JOIN $wpdb->posts ON ID = post_id WHERE post_type LIKE 'shop\_order%'");
	$wpdb->query("DELETE FROM $wpdb->posts WHERE post_type LIKE 'shop\_order%'");
	$hooks = "hook IN ('wc-admin_import_orders', 'woocommerce_cancel_unpaid_orders')";
	$wpdb->query("DELETE log FROM {$p}actionscheduler_logs log JOIN {$p}actionscheduler_actions USING (action_id) WHERE $hooks");
	$wpdb->query("DELETE FROM {$p}actionscheduler_actions WHERE $hooks");
	$wpdb->query('COMMIT');
}

function make_product(): int {
	global $wpdb;
	$wpdb->query('START TRANSACTION'); // half of one would not be found again
	$product = new WC_Product_Simple();
	$product->set_name('Set-up');
	$product->set_sku(SKU);
	$product->set_regular_price('1');
	$product->set_catalog_visibility('hidden');
	$product->set_status('publish');
	$product->save();
	$wpdb->query('COMMIT');
	return $product->get_id();
}

$urumi_placed = (int) ($_GET['placed'] ?? 0);
$urumi_took = (int) ($_GET['milliseconds'] ?? 0);
$urumi_settings = settings();
$urumi_db = connect(5);
lock($urumi_db, 'order', 10);
$urumi_plugins = array('woocommerce/woocommerce.php');
require __DIR__ . '/boot.php';

$urumi_before = option($urumi_db, 'urumi_order');
if ('begun' === $urumi_before) {
	remove_evidence();
}
if ($urumi_placed) {
	$urumi_evidence = array('id' => $urumi_placed, 'milliseconds' => $urumi_took, 'time' => gmdate('Y-m-d\TH:i:s\Z'));
	set_option($urumi_db, 'urumi_order', json_encode($urumi_evidence));
	report(array('did' => array('an order placed and removed')));
} elseif (null !== $urumi_before && 'begun' !== $urumi_before) {
	report(array('did' => array('an order was placed before')));
} elseif ($wpdb->get_var("SELECT 1 FROM {$wpdb->prefix}wc_orders UNION SELECT 1 FROM $wpdb->posts WHERE post_type = 'shop_order' LIMIT 1")) {
	// A shop with orders takes orders, and gets none of ours into its books.
	report(array('did' => array('orders found, none placed')));
} else {
	set_option($urumi_db, 'urumi_order', 'begun');
	$urumi_product = make_product();
	delete_option('rewrite_rules'); // or the first visitor would not find the thank-you page
	report(array('product' => $urumi_product, 'shop' => (string) parse_url(get_permalink(wc_get_page_id('shop')), PHP_URL_PATH)));
}
$urumi_done = true;
exit(0);
