<?php
/**
 * What the owner chooses through the platform: each option, and how the shop is given it. Pieces that
 * are there already are left alone, so a killed run is mended by the next.
 */
const DEMO = array('mug' => array('Mug', '12'), 'shirt' => array('T-shirt', '25'), 'bag' => array('Tote bag', '15'));

/** The options among the settings, of which only two mean anything without WooCommerce. */
function chosen(array $settings): array {
	$names = array('title', 'adminEmail');
	if ('woocommerce' === $settings['engine']) {
		array_push($names, 'currency', 'country', 'demoProducts');
	}
	return array_combine($names, array_map(static fn($name) => $settings[$name], $names));
}

/** Gives the shop one option; whatever still says what the option said before follows it. */
function choose(string $name, string|bool $value, string|bool|null $before = null): void {
	match ($name) {
		'title' => choose_text('blogname', array('woocommerce_email_from_name'), $value, $before),
		'adminEmail' => choose_email($value, $before),
		'currency' => choose_place('woocommerce_currency', $value),
		'country' => choose_place('woocommerce_default_country', $value),
		'demoProducts' => $value ? make_demo_products() : remove_demo_products(),
	};
}

function choose_text(string $option, array $followers, string $value, ?string $before): void {
	update_option($option, $value);
	foreach ($followers as $follower) {
		if (null !== $before && html_entity_decode((string) get_option($follower), ENT_QUOTES) === $before) {
			update_option($follower, $value);
		}
	}
}

function choose_email(string $value, ?string $before): void {
	choose_text('admin_email', array('woocommerce_email_from_address', 'woocommerce_stock_email_recipient'), $value, $before);
	$account = get_user_by('login', secret('admin/admin-username'));
	if ($account && null !== $before && $before === $account->user_email && !email_exists($value)) {
		wp_update_user(array('ID' => $account->ID, 'user_email' => $value));
	}
}

/** The currency or the country, and how prices and units are written with both. */
function choose_place(string $option, string $value): void {
	update_option($option, $value);
	$made = (array) json_decode((string) get_option('urumi_formats', '{}'), true);
	foreach (formats((string) get_option('woocommerce_currency'), strtok((string) get_option('woocommerce_default_country'), ':')) as $name => $format) {
		// What the owner set otherwise stays.
		if (!isset($made[$name]) || (string) get_option("woocommerce_$name") === (string) $made[$name]) {
			update_option("woocommerce_$name", $format);
			$made[$name] = $format;
		}
	}
	update_option('urumi_formats', wp_json_encode($made), false);
}

/** How a country, or else one that has the currency, writes prices; and the country's units. */
function formats(string $currency, string $country): array {
	$locales = include WC_ABSPATH . 'i18n/locale-info.php';
	$same = array_filter($locales, static fn($locale) => $currency === $locale['currency_code']);
	$prices = $same[$country] ?? reset($same) ?: array('num_decimals' => 2) + ($locales[$country] ?? array());
	$units = $locales[$country] ?? array();
	$found = array(
		'currency_pos'       => $prices['currency_pos'] ?? null,
		'price_thousand_sep' => $prices['thousand_sep'] ?? null,
		'price_decimal_sep'  => $prices['decimal_sep'] ?? null,
		'price_num_decimals' => $prices['num_decimals'] ?? null,
		'weight_unit'        => $units['weight_unit'] ?? null,
		'dimension_unit'     => $units['dimension_unit'] ?? null,
	);
	return array_filter($found, static fn($format) => null !== $format);
}

/** Makes those of the demo products that are not there, or not any more. */
function make_demo_products(): void {
	global $wpdb;
	foreach (DEMO as $sku => list($title, $price)) {
		if (wc_get_product_id_by_sku("demo-$sku")) {
			continue;
		}
		// A product is 35 writes, and half of one is listed but cannot be bought.
		$wpdb->query('START TRANSACTION');
		$product = new WC_Product_Simple();
		$product->set_name($title);
		$product->set_sku("demo-$sku");
		$product->set_regular_price($price);
		$product->set_status('publish');
		$product->save();
		if (!wc_get_product($product->get_id())->is_purchasable()) {
			$wpdb->query('ROLLBACK');
			fail(FAILED, "the demo product $title cannot be bought");
		}
		$wpdb->query('COMMIT');
	}
}

/** Puts the demo products into the bin, from where the owner can take what was made a real one. */
function remove_demo_products(): void {
	foreach (array_keys(DEMO) as $sku) {
		$product = wc_get_product((int) wc_get_product_id_by_sku("demo-$sku"));
		if ($product) {
			$product->delete(false);
		}
	}
}
