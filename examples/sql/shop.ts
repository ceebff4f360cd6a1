/**
 * The shop: its tables, and the closed sets of values that questions name, in English as the database holds them and in
 * Japanese. No two tables share the name of a column but keys: SQL needs no table before a column.
 */

/** How a value is written in the database and in English → how Japanese writes it. */
export const values = {
  category: {
    toys: 'おもちゃ',
    books: '本',
    games: 'ゲーム',
    garden: '園芸',
    kitchen: '台所',
    music: '音楽',
    sports: 'スポーツ',
    office: '事務',
  },
  country: { Japan: '日本', France: 'フランス', Italy: 'イタリア', Korea: '韓国', India: 'インド', Spain: 'スペイン' },
  region: { north: '北', south: '南', east: '東', west: '西' },
  role: { clerk: '店員', manager: '店長', driver: '運転手', cashier: 'レジ係' },
  city: {
    Tokyo: '東京',
    Osaka: '大阪',
    Kyoto: '京都',
    Nagoya: '名古屋',
    Sapporo: '札幌',
    Kobe: '神戸',
    Fukuoka: '福岡',
    Sendai: '仙台',
  },
  tier: { gold: 'ゴールド', silver: 'シルバー', bronze: 'ブロンズ', basic: '一般' },
  status: { open: '未処理', paid: '支払済み', shipped: '発送済み', closed: '完了' },
  method: { card: 'カード', cash: '現金', transfer: '振込', points: 'ポイント' },
  carrier: { Yama: 'ヤマ便', Sago: 'サゴ便', Nitto: '日東便' },
  reason: { broken: '破損', late: '遅延', wrong: '誤品', size: 'サイズ違い' },
} as const satisfies Record<string, Readonly<Record<string, string>>>;

export type ValueSet = keyof typeof values;

export const schema = `
CREATE TABLE category (category_id INTEGER PRIMARY KEY, category TEXT NOT NULL);
CREATE TABLE supplier (supplier_id INTEGER PRIMARY KEY, supplier TEXT NOT NULL, country TEXT NOT NULL);
CREATE TABLE product (product_id INTEGER PRIMARY KEY, product TEXT NOT NULL, category_id INTEGER NOT NULL REFERENCES category,
  supplier_id INTEGER NOT NULL REFERENCES supplier, price REAL NOT NULL, stock INTEGER NOT NULL);
CREATE TABLE store (store_id INTEGER PRIMARY KEY, store TEXT NOT NULL, region TEXT NOT NULL);
CREATE TABLE staff (staff_id INTEGER PRIMARY KEY, staff TEXT NOT NULL, store_id INTEGER NOT NULL REFERENCES store,
  role TEXT NOT NULL, salary INTEGER NOT NULL);
CREATE TABLE customer (customer_id INTEGER PRIMARY KEY, customer TEXT NOT NULL, city TEXT NOT NULL, tier TEXT NOT NULL,
  joined TEXT NOT NULL);
CREATE TABLE sale (sale_id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customer,
  store_id INTEGER NOT NULL REFERENCES store, sold TEXT NOT NULL, status TEXT NOT NULL);
CREATE TABLE line (line_id INTEGER PRIMARY KEY, sale_id INTEGER NOT NULL REFERENCES sale,
  product_id INTEGER NOT NULL REFERENCES product, quantity INTEGER NOT NULL);
CREATE TABLE review (review_id INTEGER PRIMARY KEY, product_id INTEGER NOT NULL REFERENCES product,
  customer_id INTEGER NOT NULL REFERENCES customer, stars INTEGER NOT NULL, reviewed TEXT NOT NULL);
CREATE TABLE payment (payment_id INTEGER PRIMARY KEY, sale_id INTEGER NOT NULL REFERENCES sale, method TEXT NOT NULL,
  amount REAL NOT NULL);
CREATE TABLE shipment (shipment_id INTEGER PRIMARY KEY, sale_id INTEGER NOT NULL REFERENCES sale, carrier TEXT NOT NULL,
  days INTEGER NOT NULL);
CREATE TABLE refund (refund_id INTEGER PRIMARY KEY, sale_id INTEGER NOT NULL REFERENCES sale, reason TEXT NOT NULL,
  refunded REAL NOT NULL);
`;

/** The years in which the shop did business. */
export const years = [2023, 2024, 2025] as const;
