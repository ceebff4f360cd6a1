/** Can this share still be reached, if nothing more is lost? Not where everything is lost, even where the share is 0. */
export const mayReach = (share: number, { of, lost }: { readonly of: number; readonly lost: number }): boolean =>
  of - lost >= share * of && of > lost;
