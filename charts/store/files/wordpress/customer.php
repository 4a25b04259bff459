<?php
/**
 * A customer who buys one product by the Store API and cash on delivery. Knows nothing of WordPress:
 * it is what stands before the shop.
 */
const CUSTOMER = 'set-up@store.invalid';

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
		if (0 === $status) {
			throw new RuntimeException("$method $path was cut short, which is often for want of memory");
		}
		if ($status !== $expected) {
			$why = html_entity_decode(strip_tags(json_decode($text, true)['message'] ?? ''), ENT_QUOTES);
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
