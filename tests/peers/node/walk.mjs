// A person at a browser who is sent to the address of the first argument: `until` an address begins with the second, which is printed; without
// one, to the last page. A third says what is done otherwise: a code to type, or "refuse" where consent is asked for.
const { walk } = await import(process.env.PERSON);

const [, url, until, third] = process.argv;
const options = third === "refuse" ? { refuse: true } : { code: third };
const landed = await walk(url, { until: until || undefined, ...options });
console.log(landed?.href ?? "");
