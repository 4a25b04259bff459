<?php
/**
 * Part of `configure` (engine woocommerce), once in a shop's life, before its ready marker: an order
 * is placed as a customer would, by the Store API against PHP's own server on loopback, and removed.
 * What was sold is a product made for it, so nothing of the shop's is touched. The option urumi_order
 * says "begun" meanwhile. It is set where there is no order at all and nobody can visit: whatever
 * order is found beside it is one of set-up's, whole or half.
 */
const CUSTOMER = 'set-up@store.invalid';
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

/** A port that nobody listens on. The pod is alone with itself; a test machine may not be. */
function free_port(): int {
	$socket = stream_socket_server('tcp://127.0.0.1:0');
	$port = (int) substr(strrchr(stream_socket_get_name($socket, false), ':'), 1);
	fclose($socket);
	return $port;
}

/** Runs the shop on loopback; returns the process. */
function start_server(int $port) {
	$command = php('-d', 'opcache.enable_cli=1', '-q', '-S', "127.0.0.1:$port", '-t', '/usr/src/wordpress', __DIR__ . '/serve.php');
	$null = array('file', '/dev/null', 'r');
	$process = proc_open($command, array(0 => $null, 1 => array('file', '/dev/null', 'w'), 2 => STDERR), $pipes);
	for ($deadline = microtime(true) + 10; microtime(true) < $deadline; usleep(10000)) {
		$socket = @stream_socket_client("tcp://127.0.0.1:$port", $code, $why, 1);
		if ($socket) {
			fclose($socket);
			return $process;
		}
	}
	proc_terminate($process, 9);
	fail(FAILED, 'PHP\'s own server did not start, so no order could be tried');
}

/** One customer: the address, the cart that the server remembers, what was asked last. */
final class Customer {
	private array $headers;
	public function __construct(private string $base, string $url) {
		$address = parse_url($url);
		$this->headers = array(
			'Host: ' . $address['host'] . (isset($address['port']) ? ':' . $address['port'] : ''),
			'X-Forwarded-Proto: ' . $address['scheme'],
			'Content-Type: application/json',
			'Connection: close',
		);
	}

	/** Asks, sees that the status is the one expected, and returns the body. */
	public function ask(int $expected, string $method, string $path, ?array $body = null): string {
		$http = array('method' => $method, 'header' => $this->headers, 'ignore_errors' => true, 'follow_location' => 0, 'timeout' => 60);
		if (null !== $body) {
			$http['content'] = json_encode($body);
		}
		$text = (string) @file_get_contents($this->base . $path, false, stream_context_create(array('http' => $http)));
		$head = function_exists('http_get_last_response_headers') ? http_get_last_response_headers() : ($http_response_header ?? null);
		$status = (int) (explode(' ', $head[0] ?? '- 0')[1] ?? 0);
		if ($status !== $expected) {
			$why = json_decode($text, true)['message'] ?? '';
			throw new RuntimeException("$method $path answered $status, not $expected" . ($why ? ": $why" : ''));
		}
		foreach ($head as $line) {
			if (0 === stripos($line, 'Cart-Token:') && !preg_grep('/^Cart-Token:/', $this->headers)) {
				$this->headers[] = 'Cart-Token:' . substr($line, strlen('Cart-Token:'));
			}
		}
		return $text;
	}
}

/** Buys the product by cash on delivery; returns the order's number. Errors: RuntimeException. */
function place_order(Customer $customer, int $product, string $shop): int {
	$api = '/wp-json/wc/store/v1';
	$address = array(
		'first_name' => 'Set', 'last_name' => 'Up', 'address_1' => '1 Main Street', 'city' => 'Los Angeles',
		'state' => 'CA', 'postcode' => '90001', 'country' => 'US', 'phone' => '555-0100',
	);
	$billing = $address + array('email' => CUSTOMER);
	$customer->ask(200, 'GET', "$api/products?per_page=1&stock_status=instock&type=simple");
	$customer->ask(200, 'GET', "$api/cart");
	$customer->ask(201, 'POST', "$api/cart/add-item", array('id' => $product, 'quantity' => 1));
	$cart = json_decode($customer->ask(200, 'POST', "$api/cart/update-customer", array('billing_address' => $billing, 'shipping_address' => $address)), true);
	$rate = $cart['shipping_rates'][0]['shipping_rates'][0]['rate_id'] ?? null;
	if (null === $rate) {
		throw new RuntimeException('no way to ship was offered');
	}
	$customer->ask(200, 'POST', "$api/cart/select-shipping-rate", array('package_id' => 0, 'rate_id' => $rate));
	$order = json_decode($customer->ask(200, 'POST', "$api/checkout", array('billing_address' => $billing, 'shipping_address' => $address, 'payment_method' => 'cod')), true);
	$paid = $order['payment_result']['payment_status'] ?? 'nothing';
	if ('success' !== $paid) {
		throw new RuntimeException("checkout said $paid");
	}
	$thanks = parse_url($order['payment_result']['redirect_url']);
	$customer->ask(200, 'GET', $thanks['path'] . (isset($thanks['query']) ? '?' . $thanks['query'] : ''));
	// The Store API takes orders of a shop whose pages say "coming soon".
	if (str_contains($customer->ask(200, 'GET', $shop), 'woo-coming-soon-page')) {
		throw new RuntimeException('the shop\'s pages say "coming soon"');
	}
	return (int) $order['order_id'];
}

$urumi_before = option($urumi_db, 'urumi_order');
if ('begun' === $urumi_before) {
	remove_evidence();
}
if (null !== $urumi_before && 'begun' !== $urumi_before) {
	$urumi_did[] = 'an order was placed before';
} elseif ($wpdb->get_var("SELECT 1 FROM {$wpdb->prefix}wc_orders UNION SELECT 1 FROM $wpdb->posts WHERE post_type = 'shop_order' LIMIT 1")) {
	// A shop with orders takes orders, and gets none of ours into its books.
	$urumi_did[] = 'orders found, none placed';
} else {
	set_option($urumi_db, 'urumi_order', 'begun');
	$urumi_product = make_product();
	delete_option('rewrite_rules'); // or the first visitor would not find the thank-you page
	$urumi_port = free_port();
	$urumi_server = start_server($urumi_port);
	$urumi_problem = null;
	$urumi_began = microtime(true);
	try {
		$urumi_shop = (string) parse_url(get_permalink(wc_get_page_id('shop')), PHP_URL_PATH);
		$urumi_order = place_order(new Customer("http://127.0.0.1:$urumi_port", $urumi_settings['url']), $urumi_product, $urumi_shop);
	} catch (RuntimeException $urumi_caught) {
		$urumi_problem = $urumi_caught->getMessage();
	}
	$urumi_took = (int) ((microtime(true) - $urumi_began) * 1000);
	proc_terminate($urumi_server, 9);
	proc_close($urumi_server);
	if (null !== $urumi_problem) {
		fail(FAILED, "the shop takes no order yet: $urumi_problem");
	}
	wp_cache_flush(); // the server, another process, wrote
	remove_evidence();
	$urumi_evidence = array('id' => $urumi_order, 'milliseconds' => $urumi_took, 'time' => gmdate('Y-m-d\TH:i:s\Z'));
	set_option($urumi_db, 'urumi_order', json_encode($urumi_evidence));
	$urumi_did[] = 'an order placed and removed';
}
