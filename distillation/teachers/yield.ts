/** Can so many still come to something, if all that is to come does? Not where everything is lost, also when no share is asked for. */
export const mayReach = (share: number, { of, lost }: { readonly of: number; readonly lost: number }): boolean =>
  of - lost >= share * of && of > lost;
