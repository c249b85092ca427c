import { hasCheckDigit } from '@branchline/contracts/event.ts';
import type { Random } from '@branchline/kernel/random.ts';

/**
 * What the simulated shops sell, popular articles first. Prices are minor units, per piece or per kilogram. The GTINs begin
 * with 952, which GS1 reserves for examples, so none belongs to a real product; weighed goods have only the retailer's own
 * number, because a code that contains a weight is never global.
 */
export type Article = {
  itemId: string;
  gtin?: string;
  description: string;
  price: number;
  taxCode: string;
  weighed: boolean;
};

/** Rates in hundredths of a percent. */
export const taxRates = new Map([
  ['1', 1900],
  ['2', 700],
]);

// description | price | tax code | w for weighed
const shelf = `
Whole milk 1 l|119|2
Bananas|179|2|w
Wheat rolls, 6 pieces|149|2
Butter 250 g|229|2
Eggs, 10 pieces|299|2
Tomatoes|349|2|w
Apples|249|2|w
Mineral water 1.5 l|89|1
Potatoes|159|2|w
Ground coffee 500 g|699|2
Gouda slices 200 g|219|2
Yoghurt 150 g|69|2
Rye bread 750 g|289|2
Minced beef|1099|2|w
Spaghetti 500 g|129|2
Onions|139|2|w
Carrots|129|2|w
Orange juice 1 l|249|1
Dark chocolate 100 g|159|2
Toilet paper, 8 rolls|399|1
Chicken breast|1299|2|w
Cucumber|99|2
Lettuce|149|2
Grapes|449|2|w
Olive oil 500 ml|799|2
Rice 1 kg|249|2
Tomato passata 500 g|119|2
Oat flakes 500 g|99|2
Honey 500 g|549|2
Peppers|399|2|w
Frozen peas 450 g|199|2
Frozen pizza|329|2
Cream 200 ml|109|2
Salmon fillet|2499|2|w
Lemons|299|2|w
Wheat flour 1 kg|99|2
Sugar 1 kg|139|2
Salt 500 g|49|2
Washing powder 1.3 kg|899|1
Dish soap 500 ml|179|1
Toothpaste 75 ml|149|1
Shampoo 250 ml|249|1
Red wine 0.75 l|599|1
Beer, 6 bottles|749|1
Dog food 800 g|199|2
Batteries AA, 4 pieces|449|1
Light bulb E27|499|1
Umbrella|1299|1`;

const gtinOf = (number: number): string => {
  const digits = `0952${String(number).padStart(9, '0')}`;
  for (let check = 0; check < 10; check++) if (hasCheckDigit(`${digits}${check}`)) return `${digits}${check}`;
  throw new Error('every number has a check digit');
};

export const assortment: readonly Article[] = shelf
  .trim()
  .split('\n')
  .map((row, i) => {
    const [description, price, taxCode, flag] = row.split('|') as [string, string, string, string?];
    const itemId = String(100_001 + i);
    const weighed = flag === 'w';
    return {
      itemId,
      ...(weighed ? {} : { gtin: gtinOf(1_000 + i) }),
      description,
      price: Number(price),
      taxCode,
      weighed,
    };
  });

/** The first articles are drawn most often: the first tenth makes up two fifths of all sales. */
export const popularArticle = (random: Random): Article =>
  assortment[Math.floor(assortment.length * random() ** 2.5)] as Article;

/** The article as an event names it. */
export const itemOf = ({ itemId, gtin, description }: Article) => ({
  ...(gtin === undefined ? {} : { gtin }),
  itemId,
  description,
});

/** UN/ECE Recommendation 20: kilogram and piece. */
export const unitOf = (article: Article): string => (article.weighed ? 'KGM' : 'H87');
