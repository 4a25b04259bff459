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

/** Gives the shop one option. */
function choose(string $name, string|bool $value): void {
	match ($name) {
		'title' => update_option('blogname', $value),
		'adminEmail' => update_option('admin_email', $value),
		'currency' => choose_currency($value),
		'country' => choose_country($value),
		'demoProducts' => $value ? make_demo_products() : remove_demo_products(),
	};
}

/** What WooCommerce knows of a country's prices and units, by its code. */
function locales(): array {
	static $locales = null;
	return $locales ??= include WC_ABSPATH . 'i18n/locale-info.php';
}

/** The currency, and how its country, or one that has it, writes prices. */
function choose_currency(string $currency): void {
	update_option('woocommerce_currency', $currency);
	$country = strtok((string) get_option('woocommerce_default_country'), ':');
	choose_format($currency, $country);
}

function choose_country(string $place): void {
	update_option('woocommerce_default_country', $place);
	$country = strtok($place, ':');
	choose_format((string) get_option('woocommerce_currency'), $country);
	$locale = locales()[$country] ?? null;
	if ($locale) {
		update_option('woocommerce_weight_unit', $locale['weight_unit']);
		update_option('woocommerce_dimension_unit', $locale['dimension_unit']);
	}
}

function choose_format(string $currency, string $country): void {
	$same = array_filter(locales(), static fn($locale) => $currency === $locale['currency_code']);
	$locale = $same[$country] ?? reset($same);
	if ($locale) {
		update_option('woocommerce_currency_pos', $locale['currency_pos']);
		update_option('woocommerce_price_thousand_sep', $locale['thousand_sep']);
		update_option('woocommerce_price_decimal_sep', $locale['decimal_sep']);
		update_option('woocommerce_price_num_decimals', $locale['num_decimals']);
	}
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
