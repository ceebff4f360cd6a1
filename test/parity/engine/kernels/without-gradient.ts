/** Kernels whose gradient no case compares, by the reason: there is none. */
export const withoutGradient: Readonly<Record<string, readonly string[]>> = {
  'takes no tensor': ['Constant', 'Fill', 'Range'],
  'tells true from false': ['Equal', 'Greater', 'Less', 'LessEqual', 'NotEqual'],
  'takes bools alone': ['All', 'Any', 'LogicalAnd', 'LogicalNot', 'LogicalOr'],
  'tfjs has none: a program that differentiates it is refused': ['Cumprod', 'GatherNd', 'ScatterNd', 'TopK'],
  'runs off the tape': ['AdamW', 'After', 'Barrier', 'BroadcastingSelect', 'ReplaceRows', 'SumOfSquares'],
};
